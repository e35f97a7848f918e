// The tree of conditions as the builder holds it: nodes with an id, a parent, and plain facts.
"use strict";

const tree = {
    next: 1,

    // A node of what the server stores. `model` is the name of the model that its conditions are about.
    read(stored, model, parent = null) {
        const node = { id: tree.next++, parent, model };
        if ("field" in stored) return Object.assign(node, { kind: "field", field: stored.field, is: stored.is, value: stored.value });
        if ("segment" in stored) return Object.assign(node, { kind: "segment", segment: stored.segment, is: stored.is });
        if ("related" in stored) return tree.readRelated(node, stored);
        const combine = "any" in stored ? "any" : "all";
        Object.assign(node, { kind: "group", combine });
        node.items = (stored[combine] || []).map((item) => tree.read(item, model, node));
        return node;
    },

    readRelated(node, stored) {
        const measure = ["sum", "average", "min", "max"].find((name) => name in stored) || "count";
        Object.assign(node, { kind: "related", related: stored.related, through: stored.through || "", measure, column: stored[measure] || "" });
        node.is = measure === "count" ? stored.has : stored.is;
        node.value = measure === "count" ? stored.count : stored.value;
        node.where = tree.read(stored.where || { all: [] }, stored.related, null);
        node.where.within = node;
        return node;
    },

    root(where, model) {
        const single = ["field", "related", "segment"].some((key) => key in where);
        return tree.read(single ? { all: [where] } : where, model);
    },

    // As the server takes it; an empty group says nothing and is left out.
    write(node) {
        if (node.kind === "field") return { field: node.field, is: node.is, ...tree.given(node) };
        if (node.kind === "segment") return { segment: node.segment, is: node.is };
        if (node.kind === "group") {
            const items = node.items.filter((item) => !tree.isEmpty(item)).map(tree.write);
            return items.length ? { [node.combine]: items } : {};
        }
        const where = tree.write(node.where);
        const said = { related: node.related, ...(node.through && { through: node.through }) };
        if (node.measure === "count") Object.assign(said, { has: node.is }, node.is === "none" ? {} : { count: node.value });
        else Object.assign(said, { [node.measure]: node.column, is: node.is, ...tree.given(node) });
        return Object.keys(where).length ? { ...said, where } : said;
    },

    given(node) {
        return node.value === undefined ? {} : { value: node.value };
    },

    isEmpty(node) {
        return node.kind === "group" && node.items.every(tree.isEmpty);
    },

    *walk(node) {
        yield node;
        for (const item of node.items || []) yield* tree.walk(item);
        if (node.where) yield* tree.walk(node.where);
    },

    find(root, id) {
        for (const node of tree.walk(root)) if (node.id === id) return node;
        return null;
    },

    add(group, node, place = group.items.length) {
        node.parent = group;
        group.items.splice(place, 0, node);
        return node;
    },

    take(node) {
        node.parent.items.splice(tree.place(node), 1);
        return node;
    },

    place(node) {
        return node.parent.items.indexOf(node);
    },

    copy(node) {
        return tree.add(node.parent, tree.read(tree.stored(node), node.model, node.parent), tree.place(node) + 1);
    },

    // As `write`, but an empty group stays.
    stored(node) {
        return node.kind === "group" ? { [node.combine]: node.items.map(tree.stored) } : tree.write(node);
    },

    // The group that a node goes into: the one below it, else the one above.
    neighbour(node) {
        const [items, place] = [node.parent.items, tree.place(node)];
        return [items[place + 1], items[place - 1]].find((item) => item?.kind === "group") || null;
    },

    // Whether the node can stand in the group: about the same model, and not inside itself.
    fits(node, group) {
        if (tree.rootOf(node) !== tree.rootOf(group)) return false;
        for (let at = group; at; at = at.parent) if (at === node) return false;
        return true;
    },

    rootOf(node) {
        let at = node;
        while (at.parent) at = at.parent;
        return at;
    },

    moves: {
        up: { icon: "arrow_upward", label: "Move up", can: (node) => tree.place(node) > 0, do: (node, place) => tree.add(node.parent, tree.take(node), place - 1) },
        down: { icon: "arrow_downward", label: "Move down", can: (node) => tree.place(node) < node.parent.items.length - 1, do: (node, place) => tree.add(node.parent, tree.take(node), place + 1) },
        into: {
            icon: "subdirectory_arrow_right", label: "Move into the group beside it", can: (node) => Boolean(tree.neighbour(node)),
            do: (node) => { const group = tree.neighbour(node); tree.add(group, tree.take(node)); },
        },
        out: {
            icon: "subdirectory_arrow_left", label: "Move out of this group", can: (node) => Boolean(node.parent.parent),
            do: (node) => { const group = node.parent; tree.take(node); tree.add(group.parent, node, tree.place(group) + 1); },
        },
    },
};

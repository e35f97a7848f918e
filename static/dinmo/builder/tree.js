// The condition tree as the builder holds it: plain nodes with an ID and a parent.
"use strict";

const tree = {
    next: 1,

    // Creates a node from the stored JSON. `model` is the name of the model that its conditions refer to.
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

    // Returns the JSON for the server. Empty groups are left out, because the server rejects them.
    write(node) {
        if (node.kind === "field") return { field: node.field, is: node.is, ...tree.valueOfNode(node) };
        if (node.kind === "segment") return { segment: node.segment, is: node.is };
        if (node.kind === "group") {
            const items = node.items.filter((item) => !tree.isEmpty(item)).map(tree.write);
            return items.length ? { [node.combine]: items } : {};
        }
        const where = tree.write(node.where);
        const stored = { related: node.related, ...(node.through && { through: node.through }) };
        if (node.measure === "count") Object.assign(stored, { has: node.is }, node.is === "none" ? {} : { count: node.value });
        else Object.assign(stored, { [node.measure]: node.column, is: node.is, ...tree.valueOfNode(node) });
        return Object.keys(where).length ? { ...stored, where } : stored;
    },

    valueOfNode(node) {
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

    add(group, node, index = group.items.length) {
        node.parent = group;
        group.items.splice(index, 0, node);
        return node;
    },

    detach(node) {
        node.parent.items.splice(tree.indexOf(node), 1);
        return node;
    },

    indexOf(node) {
        return node.parent.items.indexOf(node);
    },

    copy(node) {
        return tree.add(node.parent, tree.read(tree.writeAll(node), node.model, node.parent), tree.indexOf(node) + 1);
    },

    // As `write`, but keeps empty groups.
    writeAll(node) {
        return node.kind === "group" ? { [node.combine]: node.items.map(tree.writeAll) } : tree.write(node);
    },

    // The group that “Move into the adjacent group” uses: the next item if it is a group, otherwise the previous one.
    adjacentGroup(node) {
        const [items, index] = [node.parent.items, tree.indexOf(node)];
        return [items[index + 1], items[index - 1]].find((item) => item?.kind === "group") || null;
    },

    // Whether the node can move to the group: both must be in the same tree, and a group can't move into itself.
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
        up: { icon: "arrow_upward", label: "Move up", can: (node) => tree.indexOf(node) > 0, do: (node, index) => tree.add(node.parent, tree.detach(node), index - 1) },
        down: { icon: "arrow_downward", label: "Move down", can: (node) => tree.indexOf(node) < node.parent.items.length - 1, do: (node, index) => tree.add(node.parent, tree.detach(node), index + 1) },
        into: {
            icon: "subdirectory_arrow_right", label: "Move into the adjacent group", can: (node) => Boolean(tree.adjacentGroup(node)),
            do: (node) => { const group = tree.adjacentGroup(node); tree.add(group, tree.detach(node)); },
        },
        out: {
            icon: "subdirectory_arrow_left", label: "Move out of this group", can: (node) => Boolean(node.parent.parent),
            do: (node) => { const group = node.parent; tree.detach(node); tree.add(group.parent, node, tree.indexOf(group) + 1); },
        },
    },
};

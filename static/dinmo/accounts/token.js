// Takes the token from the part of the address after #, which browsers never send, and removes it from the address.
"use strict";

const field = document.querySelector("[data-token]");
const token = decodeURIComponent(location.hash.slice(1));
if (field && token) {
    field.value = token;
    history.replaceState(null, "", location.pathname + location.search);
}
// Nobody needs to read or type a token that came with the link and was accepted so far.
if (field && field.value && !field.getAttribute("aria-invalid")) {
    field.closest(".d-field").hidden = true;
}

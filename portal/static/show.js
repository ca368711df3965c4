// SPDX-License-Identifier: Apache-2.0
// Takes the next code when the one on the page is a minute old; without it a button does the same.
"use strict";

(function () {
  var shown = document.querySelector("[data-fresh-in]");
  if (!shown) {
    return;
  }
  window.setTimeout(function () {
    window.location.replace(shown.getAttribute("data-next"));
  }, Number(shown.getAttribute("data-fresh-in")) * 1000);
})();

// SPDX-License-Identifier: Apache-2.0
// Keys of a desk. What a key does stands in the page: data-key on what it presses or goes to, data-result on
// what J, K and the digits walk through. Nothing here is needed to work; no key does what has no button.
"use strict";

(function () {
  // A scanner types faster than a hand: keys that follow each other like this are a number, not commands.
  var BURST_MS = 60;
  var SWITCH = "cunzheng.letter-keys";
  var held = "";
  var timer = 0;

  function remembered() {
    try {
      return window.localStorage.getItem(SWITCH) !== "off";
    } catch (refused) {
      return true;
    }
  }

  function remember(on) {
    try {
      window.localStorage.setItem(SWITCH, on ? "on" : "off");
    } catch (refused) {
      // Without storage the choice lasts for this page.
    }
  }

  var on = remembered();

  function numberField() {
    return document.querySelector("[data-scan]");
  }

  function results() {
    return Array.from(document.querySelectorAll("[data-result]"));
  }

  function goTo(element) {
    element.focus();
    if (element.select) element.select();
    element.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    var all = results();
    if (!all.length) return;
    var at = all.indexOf(document.activeElement);
    var next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
    goTo(all[Math.min(Math.max(next, 0), all.length - 1)]);
  }

  function act(key) {
    var found = document.querySelector('[data-key="' + (/^[a-z]$/.test(key) ? key : "") + '"]');
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (/^[1-9]$/.test(key)) {
      var wanted = results()[Number(key) - 1];
      if (wanted) goTo(wanted);
    } else if (key === "/") {
      var search = document.getElementById("find");
      if (search) goTo(search);
    } else if (found && found.hasAttribute("data-print")) window.print();
    else if (found) goTo(found);
  }

  function take() {
    var typed = held;
    held = "";
    window.clearTimeout(timer);
    return typed;
  }

  function settle() {
    var typed = take();
    if (typed.length === 1) {
      if (on) act(typed.toLowerCase());
    } else if (typed) {
      scanned(typed, false);
    }
  }

  function scanned(typed, ended) {
    var field = numberField();
    if (!field) return;
    field.value = typed;
    field.focus();
    if (ended) field.form.requestSubmit();
  }

  function typing(element) {
    return element.matches("input, textarea, select") || element.isContentEditable;
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "Enter" && held.length > 1) {
      event.preventDefault();
      scanned(take(), true);
      return;
    }
    if (event.key.length !== 1 || (event.key === " " && !held)) return;
    event.preventDefault();
    if (event.repeat) {
      if (on && !held) act(event.key.toLowerCase());
      return;
    }
    held += event.key;
    window.clearTimeout(timer);
    timer = window.setTimeout(settle, BURST_MS);
  });

  function show() {
    document.querySelectorAll("[data-letter-keys]").forEach(function (part) {
      part.hidden = (part.getAttribute("data-letter-keys") === "on") !== on;
    });
  }

  document.querySelectorAll("[data-script]").forEach(function (part) {
    part.hidden = false;
  });
  document.querySelectorAll("[data-switch]").forEach(function (button) {
    button.addEventListener("click", function () {
      on = !on;
      remember(on);
      show();
      var other = document.querySelector("[data-letter-keys]:not([hidden]) [data-switch]");
      if (other) other.focus();
    });
  });
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.addEventListener("click", function () {
      window.print();
    });
  });
  show();
})();

// Loaded before the page is painted, so that a chosen theme does not flash.
"use strict";
{
  const KEY = "loccit-theme";
  const system = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const chosen = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  const choose = (theme) => {
    try {
      if (theme === system()) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // the choice holds until the page is left
    }
  };
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    document.getElementById("theme")?.setAttribute("aria-pressed", String(theme === "dark"));
  };

  show(chosen() ?? system());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(chosen() ?? system()));
  addEventListener("DOMContentLoaded", () => {
    show(document.documentElement.dataset.theme);
    document.getElementById("theme").addEventListener("click", () => {
      const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      choose(theme);
      show(theme);
    });
  });
}

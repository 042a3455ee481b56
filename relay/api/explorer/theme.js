// Runs before the first paint, so that a chosen theme does not flash; a module would run too late.
"use strict";
{
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}

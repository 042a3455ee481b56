// Loads the page again as soon as the request that it shows has an answer. Without scripts, the page's own link does so.
const source = document.body.dataset.events;
if (source) {
  const events = new EventSource(source);
  events.addEventListener("state", (event) => {
    const told = JSON.parse(event.data);
    if (told.is_final) {
      events.close();
      location.replace(document.body.dataset.next || location.href);
    }
  });
  window.addEventListener("pagehide", () => events.close());
}

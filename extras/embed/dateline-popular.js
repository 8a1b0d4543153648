/* Most Popular from Dateline, built in the page. No dependencies, no cookies, no inline style; MIT No Attribution.
 *
 *   <div data-dateline-popular="https://dateline.example/popular.json?window=today" data-count="5">
 *     <a href="https://dateline.example/popular.html">Most popular</a>
 *   </div>
 *   <script src="dateline-popular.js" defer></script>
 *
 * What stands inside the element is shown until the list is there, and stays where it cannot be had.
 */
(function () {
  "use strict";

  function make(name, text) {
    var made = document.createElement(name);
    if (text) made.textContent = text;
    return made;
  }

  function isWebAddress(text) {
    return /^https?:\/\//i.test(text);
  }

  function line(item) {
    var made = make("li"), link = make("a", item.title);
    link.href = item.url;
    made.appendChild(link);
    if (item.label) {
      made.appendChild(document.createTextNode(" "));
      made.appendChild(make("small", item.label));
    }
    return made;
  }

  function show(place, told) {
    var most = parseInt(place.getAttribute("data-count"), 10) || 10;
    var items = (told.items || []).filter(function (item) { return isWebAddress(item.url); }).slice(0, most);
    if (!items.length) return;
    var section = make("section"), list = make("ol");
    section.className = "dateline-popular";
    section.setAttribute("aria-label", told.title);
    section.appendChild(make("h2", told.title));
    items.forEach(function (item) { list.appendChild(line(item)); });
    section.appendChild(list);
    if (told.note) {
      var note = make("p");
      note.appendChild(make("small", told.note));
      section.appendChild(note);
    }
    place.textContent = "";
    place.appendChild(section);
  }

  function load(place) {
    var from = place.getAttribute("data-dateline-popular");
    if (!isWebAddress(from) || !window.fetch) return;
    place.setAttribute("aria-busy", "true");
    fetch(from, { credentials: "omit", referrerPolicy: "strict-origin" })
      .then(function (answer) {
        if (!answer.ok) throw new Error("answered " + answer.status);
        return answer.json();
      })
      .then(function (told) { show(place, told); })
      .catch(function () { /* what stands there stays */ })
      .then(function () { place.removeAttribute("aria-busy"); });
  }

  Array.prototype.forEach.call(document.querySelectorAll("[data-dateline-popular]"), load);
})();

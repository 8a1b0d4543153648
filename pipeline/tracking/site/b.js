// Dateline's beacon: how long this page was in front of someone. No cookie, no storage, no name.
// Nothing happens while window.datelineConsent is false, under Global Privacy Control or Do Not Track, or driven by a program.
(function (w, d, n) {
  var door = d.currentScript.src.replace(/b\.js.*/, "b/"), key, since = 0, seen = 0, part = 0;
  function may() {
    return w.datelineConsent !== false && !n.webdriver && !n.globalPrivacyControl && n.doNotTrack != 1;
  }
  function shown() {
    return d.visibilityState == "visible" && !d.prerendering;
  }
  // the page's token is asked for once the page was visible for a second
  function ask() {
    key = 0;
    fetch(door + "page?url=" + encodeURIComponent((d.querySelector("link[rel=canonical]") || location).href))
      .then(function (a) { return a.json(); })
      .then(function (a) { key = a.token; }, function () {});
  }
  // every second, and with an event when the page is shown, hidden or left
  function turn(e) {
    var now = performance.now(), s;
    // a computer that slept between two turns has shown nothing
    if (since) seen += Math.min(now - since, 3e3);
    since = shown() && may() ? now : 0;
    s = seen / 1e3 | 0;
    if (key == null && s && may()) ask();
    if ((e || !shown()) && key && s && may() && n.sendBeacon(door + key + "?s=" + s + "&n=" + part)) {
      seen -= s * 1e3;
      part = 1;
    }
  }
  d.addEventListener("visibilitychange", turn);
  w.addEventListener("pagehide", turn);
  setInterval(turn, 1e3);
  turn();
})(window, document, navigator);

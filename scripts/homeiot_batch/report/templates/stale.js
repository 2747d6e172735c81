(function () {
  var note = document.getElementById("stale");
  var days = Math.floor((Date.now() - Date.parse(note.dataset.made)) / 864e5);
  if (days >= 2) {
    note.textContent = note.dataset.words.replace("{n}", days);
    note.hidden = false;
  }
})();

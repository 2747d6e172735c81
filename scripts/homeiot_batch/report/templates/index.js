(function () {
  var find = document.querySelector(".find");
  var rows = Array.from(document.querySelectorAll(".index tbody tr"));
  var names = rows.map(function (row) { return row.dataset.name.toLowerCase(); });
  var text = find.querySelector("[type=search]");
  var trouble = find.querySelector("[type=checkbox]");
  function show() {
    var wanted = text.value.trim().toLowerCase();
    rows.forEach(function (row, at) {
      var isTrouble = row.dataset.state === "silent" || row.dataset.state === "short";
      row.hidden = names[at].indexOf(wanted) < 0 || (trouble.checked && !isTrouble);
    });
  }
  text.addEventListener("input", show);
  trouble.addEventListener("change", show);
  find.hidden = false;
  show();
})();

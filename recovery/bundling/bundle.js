"use strict";
const age = document.getElementById("age");
const tellAge = () => {
  const minutes = (Date.now() - Date.parse(age.dataset.asOf)) / 60000;
  if (Number.isNaN(minutes)) return;
  const days = Math.floor(minutes / 1440), hours = Math.floor(minutes / 60) % 24;
  const span = days ? `${days} d ${hours} h` : hours ? `${hours} h ${Math.floor(minutes % 60)} min` : `${Math.floor(minutes)} min`;
  age.textContent = minutes < -2 ? "By this computer's clock that has not come yet: a clock is wrong." :
    `By this computer's clock that is ${span} ago.`;
  age.className = minutes < -2 || minutes >= 120 ? "late" : "";
};
tellAge();
setInterval(tellAge, 30000);
addEventListener("pageshow", tellAge);
const search = document.getElementById("search");
if (search) {
  const machine = document.getElementById("machine"), status = document.getElementById("status");
  const rows = [...document.querySelectorAll("tr[data-plain]")];
  const letters = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ß": "ss"};
  const writtenOut = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"};
  const fold = text => text.toLowerCase().replace(/[øłđðæœþıß]/g, l => letters[l]).normalize("NFKD")
    .replace(/\p{M}/gu, "").replace(/['’ʼ`´]/g, "");
  const spelt = text => fold(text.normalize("NFC").toLowerCase().replace(/[äöüåø]/g, l => writtenOut[l]));
  const words = text => text.replace(/[,;]/g, " ").split(/\s+/).filter(Boolean);
  const show = () => {
    const wanted = words(search.value).map(word => [fold(word), spelt(word)]);
    let shown = 0;
    for (const row of rows) {
      const {plain, out} = row.dataset;
      const found = wanted.every(([a, b]) => plain.includes(a) || out.includes(b)) &&
        (!machine.value || row.dataset.machine === machine.value) &&
        (!status.value || status.value.split(" ").includes(row.dataset.status));
      row.hidden = !found;
      shown += found;
    }
    const hidden = rows.length - shown;
    document.getElementById("count").textContent = `${shown} shown` + (hidden ? `, ${hidden} hidden by search or filter` : "");
  };
  document.querySelector("form.controls").hidden = false;
  for (const control of [search, machine, status]) control.addEventListener("input", show);
  document.querySelector("form.controls").addEventListener("submit", event => event.preventDefault());
  addEventListener("pageshow", show);
  show();
}

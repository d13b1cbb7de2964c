"use strict";
(() => {
  const form = document.getElementById("row");
  const answer = document.getElementById("answer");
  const curl = document.getElementById("curl");
  const url = new URL("predict", document.baseURI).href;

  const valueOf = (input) => {
    if (input.value === "") return input.dataset.missing ? null : "";
    if (input.dataset.kind === "number") return Number(input.value);
    if (input.dataset.kind === "boolean") return input.value === "true";
    return input.value;
  };
  const row = () =>
    Object.fromEntries(Array.from(document.querySelectorAll("#row [data-kind]"))
      .map((input) => [input.dataset.name, valueOf(input)]));
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const showCurl = () => {
    curl.textContent = `curl ${quoted(url)} -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify(row()))}`;
  };
  const show = (text, isBad) => {
    answer.hidden = false;
    answer.className = isBad ? "bad" : "";
    answer.textContent = text;
  };

  form.addEventListener("input", showCurl);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const reply = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(row()),
      });
      show(JSON.stringify(await reply.json(), null, 2), !reply.ok);
    } catch (error) {
      show(`The service did not answer: ${error.message}`, true);
    }
  });
  showCurl();
})();

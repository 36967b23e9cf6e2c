// The ways in which a person hands over a picture: choosing, pasting, dropping.

// `take` gets a File; `isShown` says whether the page is in the state to take one.
export function listenForPictures({ input, drop, isShown, take }) {
  input.addEventListener("change", () => {
    if (input.files.length) take(input.files[0]);
    // Or choosing the same file again would be no change.
    input.value = "";
  });

  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (!file || !isShown()) return;
    event.preventDefault();
    take(file);
  });

  // The whole page takes the drop: a picture that misses the frame must not replace the page.
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  window.addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = isShown() ? "copy" : "none";
    drop.classList.toggle("over", isShown());
  });
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  window.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    if (!carriesFile(event)) return;
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file && isShown()) take(file);
  });
}

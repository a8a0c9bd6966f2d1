// A button that plays a whole list from its first track.
//
//   <button data-behaviour="play_all" data-list="made" hidden>Play all</button> <ol id="made" data-queue> … </ol>

export function start(button) {
  const play = () => document.getElementById(button.dataset.list)?.querySelector('[data-action="play"]')?.click();
  button.hidden = false;
  button.addEventListener("click", play);
  return () => button.removeEventListener("click", play);
}

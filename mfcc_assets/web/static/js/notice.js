// Short notices that everybody sees, and announcements that only screen readers read.
//
// A screen reader reads what changes in an element that is there already. It leaves out an element that comes with its
// text, and one that was hidden. So scripts tell everything by the same two elements, which no page replaces.
const SECONDS = 6;
let timer;

export function notify(message) {
  const notice = document.getElementById("notice");
  notice.textContent = message;
  clearTimeout(timer);
  timer = setTimeout(() => { notice.textContent = ""; }, SECONDS * 1000);
}

/** Lets screen readers read what a page shows elsewhere. */
export function announce(message) {
  document.getElementById("announced").textContent = message;
}

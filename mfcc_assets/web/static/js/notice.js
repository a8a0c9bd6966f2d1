// Short notices that screen readers read too.
const SECONDS = 6;
let timer;

export function notify(message) {
  const notice = document.getElementById("notice");
  notice.textContent = message;
  clearTimeout(timer);
  timer = setTimeout(() => { notice.textContent = ""; }, SECONDS * 1000);
}

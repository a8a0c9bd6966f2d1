// An element with data-behaviour="name" is given to the function `start` of behaviours/name.js.
// `start` may return a function that ends what it has begun; it is called before the element leaves the page.

const started = new Map();

export async function startBehaviours(root) {
  const elements = [root, ...root.querySelectorAll("[data-behaviour]")].filter((each) => each.dataset?.behaviour);
  await Promise.all(elements.map(startOne));
}

export function stopBehaviours(root) {
  for (const [element, beginning] of started) {
    if (root.contains(element)) {
      started.delete(element);
      beginning.stop?.();
    }
  }
}

async function startOne(element) {
  if (started.has(element)) {
    return;
  }
  const beginning = { stop: undefined };
  started.set(element, beginning);
  const behaviour = await import(`./behaviours/${element.dataset.behaviour}.js`);
  // While the module was loaded, the listener may have gone to another page, or the element was started anew.
  if (started.get(element) === beginning) {
    beginning.stop = behaviour.start(element);
  }
}

// An element with data-behaviour="name" is given to the function `start` of behaviours/name.js.
// `start` may return a function that ends what it has begun; it is called before the element leaves the page.

const started = new Map();

export async function startBehaviours(root) {
  const elements = [root, ...root.querySelectorAll("[data-behaviour]")].filter((each) => each.dataset?.behaviour);
  await Promise.all(elements.map(startOne));
}

export function stopBehaviours(root) {
  for (const [element, stop] of started) {
    if (root.contains(element)) {
      started.delete(element);
      stop?.();
    }
  }
}

async function startOne(element) {
  if (started.has(element)) {
    return;
  }
  started.set(element, undefined);
  const behaviour = await import(`./behaviours/${element.dataset.behaviour}.js`);
  // The listener may have gone to another page while the module was loaded.
  if (started.has(element)) {
    started.set(element, behaviour.start(element));
  }
}

// @ts-check
// How a listener moves the map: mouse, wheel, fingers and keys.

const MOVED_PIXELS = 6; // a press that moves less is a click
const KEY_PIXELS = 60;
const KEY_ZOOM = 1.5;
const WHEEL_ZOOM = 0.002;
const LINE_PIXELS = 16;

/**
 * @param {HTMLElement} plane
 * @param {{move: Function, zoom: Function, all: Function, hover: Function, leave: Function, click: Function,
 *          aim: Function, enter: Function}} actions
 */
export function startGestures(plane, actions) {
  /** @type {Map<number, {x: number, y: number}>} */
  const pressed = new Map();
  let moved = 0;

  const placeOf = (event) => {
    const box = plane.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  plane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) {
      return;
    }
    plane.setPointerCapture(event.pointerId);
    pressed.set(event.pointerId, placeOf(event));
    moved = pressed.size > 1 ? Infinity : 0;
    actions.aim(false);
  });

  plane.addEventListener("pointermove", (event) => {
    const place = placeOf(event);
    const before = pressed.get(event.pointerId);
    if (!before) {
      actions.hover(place.x, place.y);
      return;
    }
    const [other] = [...pressed].filter(([id]) => id !== event.pointerId).map(([, each]) => each);
    pressed.set(event.pointerId, place);
    if (other) {
      const [from, to] = [Math.hypot(before.x - other.x, before.y - other.y), Math.hypot(place.x - other.x, place.y - other.y)];
      actions.zoom(to / Math.max(1, from), (place.x + other.x) / 2, (place.y + other.y) / 2);
      actions.move((place.x - before.x) / 2, (place.y - before.y) / 2);
    } else {
      moved += Math.hypot(place.x - before.x, place.y - before.y);
      if (moved > MOVED_PIXELS) {
        actions.move(place.x - before.x, place.y - before.y);
      }
    }
  });

  const release = (event) => {
    if (pressed.delete(event.pointerId) && event.type === "pointerup" && moved <= MOVED_PIXELS) {
      const place = placeOf(event);
      actions.click(place.x, place.y);
    }
  };
  plane.addEventListener("pointerup", release);
  plane.addEventListener("pointercancel", release);
  plane.addEventListener("pointerleave", () => actions.leave());

  plane.addEventListener("wheel", (event) => {
    event.preventDefault();
    const place = placeOf(event);
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * LINE_PIXELS : event.deltaY;
    actions.zoom(Math.exp(-pixels * WHEEL_ZOOM), place.x, place.y);
  }, { passive: false });

  plane.addEventListener("keydown", (event) => {
    const middle = [plane.clientWidth / 2, plane.clientHeight / 2];
    const keys = {
      ArrowLeft: () => actions.move(KEY_PIXELS, 0),
      ArrowRight: () => actions.move(-KEY_PIXELS, 0),
      ArrowUp: () => actions.move(0, KEY_PIXELS),
      ArrowDown: () => actions.move(0, -KEY_PIXELS),
      "+": () => actions.zoom(KEY_ZOOM, ...middle),
      "=": () => actions.zoom(KEY_ZOOM, ...middle),
      "-": () => actions.zoom(1 / KEY_ZOOM, ...middle),
      0: () => actions.all(),
      Enter: () => actions.enter(),
    };
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    event.preventDefault();
    action();
    actions.aim(true);
  });
  plane.addEventListener("blur", () => actions.aim(false));
}

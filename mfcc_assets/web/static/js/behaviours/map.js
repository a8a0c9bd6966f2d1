// @ts-check
// The map of the library: puts its data, its canvases and what a listener does together.
import { Camera } from "../map/camera.js";
import { loadMap, trackOfName } from "../map/data.js";
import { startGestures } from "../map/gestures.js";
import { Grid } from "../map/grid.js";
import { showLegend } from "../map/legend.js";
import { Marks } from "../map/marks.js";
import { PointsCanvas } from "../map/points.js";
import { startSearch } from "../map/search.js";
import { notify } from "../notice.js";
import { player } from "../player/start.js";
import { text } from "../texts.js";

const REACH_PIXELS = 14;
const AIM_PIXELS = 80;
const BUTTON_ZOOM = 1.6;
const SHOWN_ZOOM = 8;
const FLIGHT_MILLISECONDS = 350;

/** @param {HTMLElement} holder */
export function start(holder) {
  let stop = () => {};
  let isStopped = false;
  loadMap().then((data) => {
    if (!isStopped) {
      stop = showMap(holder, data);
    }
  }).catch(() => notify(text("map_failed")));
  return () => {
    isStopped = true;
    stop();
  };
}

/** @param {HTMLElement} holder @param {import("../map/data.js").MapData} data @returns {() => void} */
function showMap(holder, data) {
  const find = (selector) => /** @type {any} */ (holder.querySelector(selector));
  const plane = find(".map-plane");
  const camera = new Camera(data.points);
  const grid = new Grid(data.points);
  const points = new PointsCanvas(find(".map-points"), data);
  const marks = new Marks(find(".map-marks"), data, grid);
  const isShown = (row) => points.isShown(row);
  let waits = 0;
  let flight = 0;

  marks.path = JSON.parse(holder.dataset.path ?? "[]");
  marks.upload = JSON.parse(holder.dataset.upload ?? "null");

  const place = (row) => /** @type {[number, number]} */ ([data.points[2 * row], data.points[2 * row + 1]]);
  const at = (left, top, pixels) => grid.nearest(...camera.toMap(left, top), pixels / camera.scale, isShown);

  /** Draws with the next frame, however often it is asked for. */
  function draw() {
    waits ||= requestAnimationFrame(() => {
      waits = 0;
      points.draw(camera);
      marks.draw(camera);
    });
  }

  // Drawing asks for the names that it lacks.
  data.onNames = draw;

  async function whenNamed(row, show) {
    const named = await data.name(row);
    if (named) {
      show(named);
    }
  }

  function hover(left, top) {
    const row = at(left, top, REACH_PIXELS);
    plane.classList.toggle("is-over", row >= 0);
    if (row === marks.hovered) {
      return;
    }
    marks.hovered = row;
    find(".map-hint").hidden = true;
    draw();
    if (row >= 0) {
      whenNamed(row, (named) => marks.hovered === row && hint(row, named));
    }
  }

  function hint(row, named) {
    const box = find(".map-hint");
    const [x, y] = camera.toWindow(...place(row));
    box.children[0].textContent = named.title;
    box.children[1].textContent = named.artist;
    box.hidden = false;
    const left = Math.min(x + 14, plane.clientWidth - box.offsetWidth - 4);
    const top = y + 14 + box.offsetHeight > plane.clientHeight ? y - 14 - box.offsetHeight : y + 14;
    box.style.transform = `translate(${Math.round(Math.max(4, left))}px, ${Math.round(Math.max(4, top))}px)`;
  }

  function choose(row, plays) {
    marks.chosen = row;
    draw();
    whenNamed(row, (named) => {
      const track = trackOfName(named);
      const chosen = find(".map-chosen");
      chosen.dataset.track = JSON.stringify(track);
      chosen.querySelector("a").href = track.page;
      chosen.querySelector("a").textContent = track.title;
      chosen.querySelector(".soft").textContent = track.artist;
      chosen.querySelector("[data-action=radio]").dataset.radio = `${track.page}/radio`;
      chosen.hidden = false;
      if (plays && track.id !== player.track?.id) {
        player.playTracks([track]);
      } else if (plays) {
        player.play();
      }
    });
  }

  /** Moves the camera there in a short while, or at once for those who want no motion. */
  function flyTo(x, y, zoom) {
    cancelAnimationFrame(flight);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      camera.lookAt(x, y, zoom);
      draw();
      return;
    }
    const from = { x: camera.x, y: camera.y, zoom: camera.zoom };
    const began = performance.now();
    const step = (now) => {
      const share = Math.min(1, Math.max(0, now - began) / FLIGHT_MILLISECONDS);
      const eased = 1 - (1 - share) ** 3;
      camera.lookAt(from.x + (x - from.x) * eased, from.y + (y - from.y) * eased, from.zoom * (zoom / from.zoom) ** eased);
      draw();
      flight = share < 1 ? requestAnimationFrame(step) : 0;
    };
    flight = requestAnimationFrame(step);
  }

  function show(row) {
    choose(row, false);
    flyTo(...place(row), Math.max(camera.zoom, SHOWN_ZOOM));
  }

  const aimed = () => at(camera.width / 2, camera.height / 2, AIM_PIXELS);

  function moved() {
    cancelAnimationFrame(flight);
    find(".map-hint").hidden = true;
    draw();
  }

  startGestures(plane, {
    move: (right, down) => { camera.move(right, down); moved(); },
    zoom: (factor, left, top) => { camera.zoomAt(factor, left, top); moved(); },
    all: () => { camera.all(); moved(); },
    hover,
    leave: () => hover(-1e6, -1e6),
    click: (left, top) => {
      const row = at(left, top, REACH_PIXELS);
      if (row >= 0) {
        choose(row, true);
      }
    },
    enter: () => {
      const row = aimed();
      if (row >= 0) {
        choose(row, true);
      }
    },
    aim: (isAimed) => {
      marks.isAimed = isAimed;
      const row = isAimed ? aimed() : -1;
      marks.hovered = row;
      draw();
      if (row >= 0) {
        whenNamed(row, (named) => {
          if (marks.hovered === row) {
            find("[data-map=said]").textContent = named.artist ? `${named.title}, ${named.artist}` : named.title;
          }
        });
      }
    },
  });

  const page = /** @type {HTMLElement} */ (holder.closest("main"));
  const onButton = (name, act) => page.querySelector(`[data-map=${name}]`)?.addEventListener("click", act);
  onButton("in", () => zoomBy(BUTTON_ZOOM));
  onButton("out", () => zoomBy(1 / BUTTON_ZOOM));
  onButton("all", () => { camera.all(); moved(); });
  function zoomBy(factor) {
    camera.zoomAt(factor, camera.width / 2, camera.height / 2);
    moved();
  }

  const colour = /** @type {HTMLSelectElement} */ (page.querySelector("#map-colour"));
  const legend = /** @type {HTMLElement} */ (page.querySelector(".map-legend"));
  function colourBy(kind) {
    points.kind = kind;
    points.only = -1;
    showLegend(legend, data.groups[kind], data.count, (group) => { points.only = group; draw(); });
    draw();
  }
  colour.addEventListener("change", () => colourBy(colour.value));
  startSearch(/** @type {any} */ (page.querySelector("#map-search")), /** @type {any} */ (page.querySelector("#map-found")), show);

  function resize() {
    camera.resize(plane.clientWidth, plane.clientHeight);
    points.resize(camera);
    marks.resize(camera);
    draw();
  }
  const sizes = new ResizeObserver(resize);
  sizes.observe(plane);
  resize();
  lookAtFirst();

  function lookAtFirst() {
    if (marks.path.length) {
      camera.frame(marks.path.map(place));
    } else if (marks.upload) {
      camera.lookAt(marks.upload.x, marks.upload.y, SHOWN_ZOOM);
    } else if (holder.dataset.centre !== undefined) {
      camera.lookAt(...place(Number(holder.dataset.centre)), SHOWN_ZOOM);
      choose(Number(holder.dataset.centre), false);
    }
  }

  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const recolour = () => { points.readColours(); draw(); };
  scheme.addEventListener("change", recolour);
  colourBy(colour.value);
  return () => {
    data.onNames = () => {};
    cancelAnimationFrame(waits);
    cancelAnimationFrame(flight);
    sizes.disconnect();
    scheme.removeEventListener("change", recolour);
  };
}

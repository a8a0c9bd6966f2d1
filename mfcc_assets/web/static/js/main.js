// Starts what every page has, and what the elements of a page ask for.
import { startBehaviours, stopBehaviours } from "./behaviours.js";
import { startNavigation } from "./navigation.js";
import { emptyAtLogIn, startPlayer } from "./player/start.js";

startNavigation({
  before: stopBehaviours,
  after: (main) => {
    emptyAtLogIn();
    return startBehaviours(main);
  },
});
startPlayer();
startBehaviours(document.body);

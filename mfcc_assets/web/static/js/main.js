// Starts what every page has, and what the elements of a page ask for.
import { startBehaviours, stopBehaviours } from "./behaviours.js";
import { startNavigation } from "./navigation.js";
import { startPlayer } from "./player/start.js";

startNavigation({ before: stopBehaviours, after: startBehaviours });
startPlayer();
startBehaviours(document.body);

// Starts what every page has, and what the elements of a page ask for.
import { startBehaviours, stopBehaviours } from "./behaviours.js";
import { startNavigation } from "./navigation.js";

startNavigation({ before: stopBehaviours, after: startBehaviours });
startBehaviours(document.body);

import { render } from "preact";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root === null) throw new Error('Cannot start: no element "app"');
render(<App />, root);

// What is saved shows at once: the page is not loaded again.
import.meta.hot?.accept("./app.tsx", (saved) => {
  if (saved !== undefined) render(<saved.App />, root);
});

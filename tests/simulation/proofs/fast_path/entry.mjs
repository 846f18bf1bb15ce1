// The edge, with its counts at `/counts`.

import { counts } from "./counts.mjs";
import edge from "./index.js";

export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/counts") return Response.json(counts);
    counts.calls++;
    const answer = edge.fetch(request, env, context);
    if (answer instanceof Promise) counts.promised++;
    return answer;
  },
};

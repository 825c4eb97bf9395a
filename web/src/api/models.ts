// The models that the server offers: /v1/models.

import { send } from "./http.ts";

export async function fetchModels(): Promise<string[]> {
  const response = await send("v1/models");
  const { data } = (await response.json()) as { data?: { id?: unknown }[] };
  return (data ?? []).map((model) => model.id).filter((id) => typeof id === "string");
}

// The allocator `my-plugin`: each team bears a shared cost in proportion to its usage of one metric.
import { Broken, weights } from "./decides.js";

export const allocate = {
  describe() {
    return {
      name: "my-plugin",
      version: "0.1.0",
      description: "Shares a cost by the usage of one metric",
      kind: "allocator",
      powers: [],
      configSchema: CONFIG_SCHEMA,
      streams: [],
      restatementDays: undefined,
    };
  },

  // It returns weights and never amounts: the host splits.
  allocate(config, pool, targets, drivers) {
    const teamOf = ({ keys }) => keys.find(({ key }) => key === "team")?.value;
    const used = drivers.map((driver) => [driver.metric, teamOf(driver), driver.value]);
    try {
      const shares = weights(config, targets.map(({ team }) => team), used);
      return shares.map((weight, target) => ({ target, weight }));
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      throw { tag: "config", val: { message: error.message } };
    }
  },
};

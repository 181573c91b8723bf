// The decisions: usage becomes weights. This file does not know the contract, so plain Node can test it.

// An error for input that is not understood.
export class Broken extends Error {}

// One weight for each team; `used` lists metric, team and quantity.
export function weights(config, teams, used) {
  let metric;
  try {
    metric = JSON.parse(config)?.metric;
  } catch (error) {
    throw new Broken(`the settings are not JSON: ${error.message}`);
  }
  if (typeof metric !== "string" || metric === "") throw new Broken("`metric` is missing");
  const ofMetric = used.filter(([named]) => named === metric).map(([, team, value]) => [team, thousandths(value)]);
  return teams.map((team) => ofMetric.reduce((sum, [owner, value]) => (owner === team ? sum + value : sum), 0n));
}

// A quantity as a whole number, so that no float decides who pays.
export function thousandths(value) {
  const found = /^(\d+)(?:\.(\d*))?$/.exec(value);
  if (!found) throw new Broken(`the quantity '${value}' is not understood`);
  return BigInt(found[1]) * 1000n + BigInt(`${found[2] ?? ""}000`.slice(0, 3));
}

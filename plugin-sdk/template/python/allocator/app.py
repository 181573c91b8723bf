"""The allocator `my-plugin`: each team bears a shared cost in proportion to its usage of one metric."""

import share
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.allocate import Weight
from wit_world.imports.types import Error_Config, Kind, Manifest, Problem


class Allocate(exports.Allocate):
    def describe(self):
        return Manifest(
            "my-plugin", "0.1.0", "Shares a cost by the usage of one metric", Kind.ALLOCATOR, [], share.CONFIG_SCHEMA, [], None
        )

    def allocate(self, config, pool, targets, drivers):
        """It returns weights and never amounts: the host splits."""
        used = [(driver.metric, {tag.key: tag.value for tag in driver.keys}.get("team"), driver.value) for driver in drivers]
        try:
            weights = share.weights(config, [target.team for target in targets], used)
        except share.Broken as error:
            raise Err(Error_Config(Problem(str(error), None, None, None)))
        return [Weight(target, weight) for target, weight in enumerate(weights)]

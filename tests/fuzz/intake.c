/* intake.c - intake under the fuzzer */
#include "daemon.h"
#include "handlers.h"

const struct fuzz_daemon fuzz_daemon = {
	.service = &intake_service,
	.world = "tests/fuzz/worlds/intake.yaml",
	.look = "tests/fuzz/worlds/intake-look.yaml",
};

/* reporting.c - reporting under the fuzzer */
#include "daemon.h"
#include "handlers.h"

const struct fuzz_daemon fuzz_daemon = {
	.service = &reporting_service,
	.world = "tests/fuzz/worlds/reporting.yaml",
	.look = "tests/fuzz/worlds/reporting-look.yaml",
};

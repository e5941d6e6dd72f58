/* workflow.c - workflow under the fuzzer */
#include "daemon.h"
#include "workflow.h"

const struct fuzz_daemon fuzz_daemon = {
	.service = &workflow_service,
	.world = "tests/fuzz/worlds/workflow.yaml",
	.look = "tests/fuzz/worlds/workflow-look.yaml",
};

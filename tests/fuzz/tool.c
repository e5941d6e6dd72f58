/* tool.c - the files that people give to `avvik`, under the fuzzer: a receipt to be proved, reports to be filed (JSON, YAML), a
 * directory and a rule pack to be judged. The whole tool runs, from its command line; the first byte says which. Its output is
 * written, and looked at by nobody: libFuzzer closes it (-close_fd_mask). What must hold: it ends, with one of its exit codes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/macros.h"
#include "base/status.h"
#include "libfuzzer.h"
#include "report_tool.h"
#include "seal/crypto.h"
#include "tool.h"

int tool_main(int argc, char **argv);

static char path[256];
/* Of the instance that has signed the receipt among the seeds. */
static char public_path[] = SOURCE_DIR "/tests/fuzz/worlds/receipt.sign.pub";

static void must(int holds)
{
	if (!holds)
		abort();
}

static void save(const char *name, const void *bytes, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

static int look_at(void *context, const struct report_item *item)
{
	must(item->report || item->faults->count > 0);
	must(item->source && item->reference);
	++*(size_t *)context;
	return AV_OK;
}

/* As `report file` reads them, without a daemon to send them to. */
static void reports(void)
{
	struct tool tool = {.program = "avvik", .arena = av_arena_create(0)};
	size_t seen = 0;
	(void)report_items_each(&tool, path, look_at, &seen);
	av_arena_destroy(&tool.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *lines[][8] = {
		{"avvik", "report", "verify", path, "--public", public_path, NULL},
		{"avvik", "--json", "report", "verify", path, "--public", public_path, NULL},
		{"avvik", "directory", "check", path, NULL},
		{"avvik", "rules", "check", path, NULL},
		{"avvik", "--json", "rules", "check", path, NULL},
	};
	if (size == 0)
		return 0;
	size_t which = data[0] % (AV_COUNT(lines) + 1);
	save(path, data + 1, size - 1);
	if (which == AV_COUNT(lines)) {
		reports();
		return 0;
	}
	char *words[8];
	int count = 0;
	for (; lines[which][count]; count++)
		words[count] = (char *)(uintptr_t)lines[which][count];
	words[count] = NULL;
	int code = tool_main(count, words);
	must(code >= EXIT_DONE && code <= EXIT_SOME);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *temporary = getenv("TMPDIR");
	char folder[200];
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	snprintf(folder, sizeof folder, "%.150s/avvik-tool-XXXXXX", temporary ? temporary : "/tmp");
	must(av_crypto_start() == AV_OK && mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/file", folder);
	return 0;
}

/* files.c - small files that a daemon finds at its start, under the fuzzer: each has been written by another process, cut off by
 * a crash, or copied by a person. The first byte says which. What must hold: no crash; what is refused leaves the output alone;
 * what is taken is what the file says. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/socket.h"
#include "daemon/settings.h"
#include "harness.h"
#include "image.h"
#include "libfuzzer.h"
#include "must.h"
#include "seal/crypto.h"
#include "store/keystore.h"
#include "template.h"
#include "toy.h"

static char folder[200], path[256], key_folder[256];
static struct av_arena *arena;
static struct harness *toy;
static struct image *keys_image;
static struct av_random fuzz_random;
static const unsigned char master[AV_KEY_SIZE] = {7};

static void save(const char *name, struct av_bytes bytes)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size && close(fd) == 0, "%s",
		name);
}

static void look_at_clock(struct av_bytes bytes)
{
	struct av_clock clock = av_clock_fixed(5);
	save(path, bytes);
	int status = av_clock_open_stepped(path, &clock);
	MUST((status == AV_OK) == (bytes.size == 8), "%zu bytes: %s", bytes.size, av_status_name(status));
	if (status != AV_OK) {
		MUST(av_clock_now_ms(&clock) == 5, "a refused file has moved the clock");
		return;
	}
	int64_t before_ms = av_clock_now_ms(&clock);
	status = av_clock_step(path, INT64_C(1775500000000));
	MUST(status == AV_OK || before_ms > INT64_C(1775500000000), "%s", av_status_name(status));
	MUST(av_clock_now_ms(&clock) == AV_MAX(before_ms, INT64_C(1775500000000)), "it has gone elsewhere");
	av_clock_close(&clock);
}

static void put_marks(void *context, struct harness *h)
{
	char name[400];
	snprintf(name, sizeof name, "%s/marks", h->path);
	save(name, *(const struct av_bytes *)context);
}

/* The daemon starts whatever the file of the item under way says, more than once, and its journal replays. */
static void look_at_marks(struct av_bytes bytes)
{
	for (int i = 0; i < 3; i++)
		harness_restart_with(toy, put_marks, &bytes);
	harness_check_replay(toy);
	/* As it was before: each input for itself. */
	harness_close(&toy);
	toy = harness_open(&toy_service, INT64_C(1775500000000));
}

static void look_at_key(struct av_bytes bytes)
{
	unsigned char key[AV_KEY_SIZE], none[AV_KEY_SIZE], sign[AV_SIGN_PUBLIC_SIZE];
	memset(key, 0xee, sizeof key);
	memset(none, 0xee, sizeof none);
	save(path, bytes);
	int status = av_key_file_load(path, key, sizeof key);
	MUST(status == AV_OK || memcmp(key, none, sizeof key) == 0, "a refused key was taken");
	if (status == AV_OK)
		MUST(bytes.size >= 2 * sizeof key && bytes.size <= 2 * sizeof key + 1, "a key of %zu letters",
			bytes.size);
	(void)av_sign_public_load(path, sign);
}

static void look_at_keypair(struct av_bytes bytes)
{
	struct av_keypair keys = {"", ""};
	save(path, bytes);
	if (av_keypair_load(path, &keys) == AV_OK)
		MUST(strlen(keys.public_key) == AV_CURVE_TEXT - 1 &&
				strlen(keys.secret_key) == AV_CURVE_TEXT - 1,
			"a key that is too short");
	else
		MUST(!keys.public_key[0] && !keys.secret_key[0], "a refused pair was taken");
}

/* The key under which the content keys lie. */
static void look_at_wrapping(struct av_bytes bytes)
{
	struct av_keystore *keys = NULL;
	const char *why = NULL;
	char name[300];
	snprintf(name, sizeof name, "%s/wrapping-1", key_folder);
	save(name, bytes);
	if (av_keystore_open(key_folder, master, &fuzz_random, &keys, &why) != AV_OK)
		MUST(why && *why && !keys, "refused without a word");
	av_keystore_close(&keys);
	image_put(keys_image, key_folder);
}

static void look_at_template(struct av_bytes bytes)
{
	static const char *const values[2][FIELD_COUNT] = {
		{NULL}, {[FIELD_NUMBER] = "2026-0001",
				[FIELD_LIST] = "a\nb\n",
				[FIELD_UNIT_NAME] = "Lindhaga {{number}}"}};
	struct template_faults faults = {.count = 0};
	struct template template;
	const char *subject = NULL, *body = NULL;
	if (template_parse("t", bytes, arena, &faults, &template) != AV_OK) {
		MUST(faults.count > 0 && faults.list[0].text, "refused without a word");
		return;
	}
	for (size_t i = 0; i < AV_COUNT(values); i++) {
		MUST(template_fill(&template, values[i], arena, &subject, &body) == AV_OK && subject && body,
			"not filled");
		MUST(!strpbrk(subject, "\r\n"), "a subject of more than a line");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const looks[])(struct av_bytes bytes) = {look_at_clock, look_at_marks, look_at_key,
		look_at_keypair, look_at_wrapping, look_at_template};
	if (size == 0)
		return 0;
	/* On the heap to the byte, so that reading beyond it is seen. */
	unsigned char *copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	looks[data[0] % AV_COUNT(looks)](av_bytes(copy, size - 1));
	free(copy);
	av_arena_reset(arena);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *temporary = getenv("TMPDIR"), *why = "";
	struct av_keystore *keys = NULL;
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	fuzz_random = av_random_seeded(11);
	arena = av_arena_create(0);
	snprintf(folder, sizeof folder, "%.150s/avvik-files-XXXXXX", temporary ? temporary : "/tmp");
	MUST(av_crypto_start() == AV_OK && mkdtemp(folder), "%s", folder);
	snprintf(path, sizeof path, "%s/file", folder);
	snprintf(key_folder, sizeof key_folder, "%s/keys", folder);
	MUST(av_keystore_open(key_folder, master, &fuzz_random, &keys, &why) == AV_OK, "%s", why);
	av_keystore_close(&keys);
	keys_image = image_take(key_folder);
	toy = harness_open(&toy_service, INT64_C(1775500000000));
	return 0;
}

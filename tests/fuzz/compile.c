/* compile.c - seeds as the fuzzers take them: fuzz_seeds FOLDER FILE.yaml... [--records]
 *
 * Each file becomes one row of steps, and each of its steps a row of its own. With --records: rows that each
 * change one stored record, so that every table has met every change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seeds.h"
#include "seal/crypto.h"

#define ROW_MAX ((size_t)1 << 20)

const size_t step_kind_count = STEP_COUNT;

static void save(const char *folder, const char *name, const struct step *steps, size_t count)
{
	char path[1024];
	uint8_t *row = malloc(ROW_MAX);
	size_t size = row ? steps_write(steps, count, row, ROW_MAX) : 0;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	if (!file || fwrite(row, 1, size, file) != size || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
	free(row);
}

#define TABLES 32 /* modulo those there are */

static void save_records(const char *folder)
{
	static const struct {
		enum record_change change;
		unsigned char offset, byte;
		size_t size;
	} changes[] = {
		{RECORD_TRUNCATE, 0, 0, 0},
		{RECORD_TRUNCATE, 1, 0, 0},
		{RECORD_TRUNCATE, 17, 0, 0},
		{RECORD_EXTEND, 0, 'x', 250},
		{RECORD_EXTEND, 0, 0xff, 16},
		{RECORD_OVERWRITE, 0, 0xff, 32},
		{RECORD_OVERWRITE, 20, 0xff, 64},
		{RECORD_OVERWRITE, 0, 0, 40},
		{RECORD_DELETE, 0, 0, 0},
	};
	for (unsigned int table = 0; table < TABLES; table++) {
		for (size_t i = 0; i < AV_COUNT(changes); i++) {
			unsigned char body[300] = {(unsigned char)table, (unsigned char)(3 * (i % 2)), 0,
				(unsigned char)changes[i].change, changes[i].offset, 0};
			struct step step = {.kind = STEP_RECORD, .body = {body, 6 + changes[i].size}};
			char name[64];
			memset(body + 6, changes[i].byte, changes[i].size);
			snprintf(name, sizeof name, "record-%u-%zu", table, i);
			save(folder, name, &step, 1);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 3 || av_crypto_start() != AV_OK) {
		fputs("usage: fuzz_seeds FOLDER FILE.yaml... [--records]\n", stderr);
		return 1;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--records") == 0) {
			save_records(argv[1]);
			continue;
		}
		struct step steps[STEPS_MAX];
		char name[256];
		struct av_arena *arena = av_arena_create(0);
		const char *base = strrchr(argv[i], '/');
		base = base ? base + 1 : argv[i];
		size_t count = seeds_load(argv[i], arena, steps, STEPS_MAX);
		snprintf(name, sizeof name, "%s", base);
		save(argv[1], name, steps, count);
		for (size_t n = 0; n < count && count > 1; n++) {
			snprintf(name, sizeof name, "%s-%zu", base, n);
			save(argv[1], name, &steps[n], 1);
		}
		av_arena_destroy(&arena);
	}
	return 0;
}

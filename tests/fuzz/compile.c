/* compile.c - seeds as the fuzzers take them: fuzz_seeds FOLDER FILE.yaml...
 *
 * Each file becomes one row of steps, and each of its steps a row of its own. */
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

int main(int argc, char **argv)
{
	if (argc < 3 || av_crypto_start() != AV_OK) {
		fputs("usage: fuzz_seeds FOLDER FILE.yaml...\n", stderr);
		return 1;
	}
	for (int i = 2; i < argc; i++) {
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

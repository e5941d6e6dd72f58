/* steps_mutate.c - libFuzzer's mutator and cross-over for rows of steps */
#include "steps.h"

#include <string.h>

#include "libfuzzer.h"
#include "mutate.h"

#define MUTATIONS_MAX 4

static struct step step_new(struct av_arena *arena, struct av_random *random)
{
	struct step step = {.follow = true, .who = (unsigned char)av_random_below(random, 6)};
	unsigned int sum = 0;
	for (size_t i = 0; i < step_kind_count; i++)
		sum += step_kinds[i].weight;
	unsigned int at = (unsigned int)av_random_below(random, sum);
	while (at >= step_kinds[step.kind].weight)
		at -= step_kinds[step.kind++].weight;
	const struct step_kind *kind = &step_kinds[step.kind];
	if (kind->make) {
		step.body = kind->make(arena, random);
	} else if (kind->type) {
		step.body = mutate_made(kind->type, arena, random);
	} else {
		unsigned char *bytes = av_arena_alloc(arena, 16);
		av_random_fill(random, bytes, 16);
		step.body = av_bytes(bytes, 1 + av_random_below(random, 15));
	}
	return step;
}

static void step_mutate(struct step *step, struct av_arena *arena, struct av_random *random)
{
	const struct step_kind *kind = &step_kinds[step->kind];
	switch (av_random_below(random, 16)) {
	case 0:
		step->who = (unsigned char)av_random_below(random, 8);
		return;
	case 1:
		step->follow = !step->follow;
		return;
	case 2:
		step->joined = !step->joined;
		return;
	case 3:
		step->body = mutate_bytes(step->body, 64, arena);
		return;
	default:
		step->body = kind->type ? mutate_packed(kind->type, step->body, arena, random)
					: mutate_bytes(step->body, 64, arena);
	}
}

static size_t insert(struct step *steps, size_t count, size_t at, struct step step)
{
	if (count == STEPS_MAX)
		return count;
	memmove(steps + at + 1, steps + at, (count - at) * sizeof *steps);
	steps[at] = step;
	return count + 1;
}

static size_t mutate_row(struct step *steps, size_t count, struct av_arena *arena, struct av_random *random)
{
	size_t at = count ? av_random_below(random, count) : 0,
	       other = count ? av_random_below(random, count) : 0;
	switch (count ? av_random_below(random, 16) : 0) {
	case 0:
	case 1:
		return insert(steps, count, count ? av_random_below(random, count + 1) : 0,
			step_new(arena, random));
	case 2:
		return insert(steps, count, other, steps[at]);
	case 3:
		memmove(steps + at, steps + at + 1, (count - at - 1) * sizeof *steps);
		return count - 1;
	case 4: {
		struct step swapped = steps[at];
		steps[at] = steps[other];
		steps[other] = swapped;
		return count;
	}
	default:
		step_mutate(&steps[at], arena, random);
		return count;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct step steps[STEPS_MAX];
	struct av_random random = av_random_seeded(seed);
	struct av_arena *arena = av_arena_create(0);
	size_t count = steps_read(av_bytes(av_arena_copy(arena, data, size), size), steps, STEPS_MAX);
	for (uint64_t left = 1 + av_random_below(&random, MUTATIONS_MAX); left > 0; left--)
		count = mutate_row(steps, count, arena, &random);
	size = steps_write(steps, count, data, max_size);
	av_arena_destroy(&arena);
	return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2,
	uint8_t *out, size_t max_size, unsigned int seed)
{
	struct step steps[STEPS_MAX], others[STEPS_MAX];
	struct av_random random = av_random_seeded(seed);
	size_t count = steps_read(av_bytes(data1, size1), steps, STEPS_MAX);
	size_t other_count = steps_read(av_bytes(data2, size2), others, STEPS_MAX);
	size_t head = av_random_below(&random, count + 1), tail = av_random_below(&random, other_count + 1);
	for (; tail < other_count && head < STEPS_MAX; tail++)
		steps[head++] = others[tail];
	return steps_write(steps, head, out, max_size);
}

/* steps.c - rows of steps as bytes */
#include "steps.h"

#include <string.h>

#define FOLLOW 0x10
#define JOINED 0x20
#define BODY_MAX ((size_t)0xffffff)

size_t steps_read(struct av_bytes data, struct step *ret_steps, size_t max)
{
	const uint8_t *at = data.data, *end = at + data.size;
	size_t count = 0;
	while (count < max && (size_t)(end - at) >= STEP_HEAD) {
		size_t size = at[2] | (size_t)at[3] << 8 | (size_t)at[4] << 16;
		struct step *step = &ret_steps[count++];
		step->kind = (at[0] & 0x0f) % step_kind_count;
		step->follow = at[0] & FOLLOW;
		step->joined = at[0] & JOINED;
		step->who = at[1];
		at += STEP_HEAD;
		size = AV_MIN(size, (size_t)(end - at));
		step->body = av_bytes(at, size);
		at += size;
	}
	return count;
}

size_t steps_write(const struct step *steps, size_t count, uint8_t *ret_data, size_t max)
{
	size_t at = 0;
	for (size_t i = 0; i < count && max - at >= STEP_HEAD; i++) {
		size_t size = AV_MIN(AV_MIN(steps[i].body.size, max - at - STEP_HEAD), BODY_MAX);
		ret_data[at] = (uint8_t)(steps[i].kind | (steps[i].follow ? FOLLOW : 0) |
					 (steps[i].joined ? JOINED : 0));
		ret_data[at + 1] = steps[i].who;
		ret_data[at + 2] = (uint8_t)size;
		ret_data[at + 3] = (uint8_t)(size >> 8);
		ret_data[at + 4] = (uint8_t)(size >> 16);
		if (size > 0)
			memcpy(ret_data + at + STEP_HEAD, steps[i].body.data, size);
		at += STEP_HEAD + size;
	}
	return at;
}

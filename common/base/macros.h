/* macros.h - the few macros that everything uses. */
#ifndef AVVIK_BASE_MACROS_H
#define AVVIK_BASE_MACROS_H

#include <stddef.h>

#define AV_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define AV_MIN(a, b) ((a) < (b) ? (a) : (b))
#define AV_MAX(a, b) ((a) > (b) ? (a) : (b))
#define AV_UNUSED(x) ((void)(x))
/* struct that embeds `member` at `pointer` */
#define AV_CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
/* AV_CLEANUP(fn) T *x = ...: fn(&x) runs when x goes out of scope, so every early return is safe. */
#define AV_CLEANUP(function) __attribute__((cleanup(function)))
#define AV_PRINTF(at, first) __attribute__((format(printf, at, first)))
#define AV_MUST_CHECK __attribute__((warn_unused_result))

/* Hand ownership on: yields the pointer and leaves NULL behind. */
#define AV_TAKE(pointer)                                \
	__extension__({                                 \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                       \
		taken_;                                 \
	})

/* free() through a pointer to the pointer, for AV_CLEANUP(av_freep). */
void av_freep(void *pointer_to_pointer);

#endif

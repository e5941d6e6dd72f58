/* macros.c - what macros.h needs of code */
#include "base/macros.h"

#include <stdlib.h>
#include <string.h>

/* The pointer is read and cleared through memcpy, since its own type is unknown here. */
void av_freep(void *pointer_to_pointer)
{
	void *pointer, *none = NULL;

	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
	memcpy(pointer_to_pointer, &none, sizeof(none));
}

/* zap.c - the ZAP request under the fuzzer: frames, each with a size byte before it; then the rest as one. */
#include "bus/zap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "libfuzzer.h"

#define FRAMES_MAX 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct av_bytes frames[FRAMES_MAX];
	struct av_zap_request request;
	size_t count = 0;
	for (size_t at = 0; at < size && count < FRAMES_MAX; count++) {
		size_t want = data[at++], have = want < size - at ? want : size - at;
		void *copy = have ? malloc(have) : NULL;
		if (have)
			memcpy(copy, data + at, have);
		frames[count] = av_bytes(copy, have);
		at += have;
	}
	if (av_zap_parse(frames, count, &request) == AV_OK && strlen(request.key) != AV_CURVE_TEXT - 1) {
		fprintf(stderr, "a key of %zu characters\n", strlen(request.key));
		abort();
	}
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)frames[i].data);
	return 0;
}

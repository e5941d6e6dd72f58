/* shrink.h - runs in processes of their own, and a failing one made small */
#ifndef AVVIK_SIM_SHRINK_H
#define AVVIK_SIM_SHRINK_H

#include "sim.h"

struct verdict {
	int status;	   /* of the process: 0: all held */
	unsigned int step; /* at which it was found; 0: not told */
	char fault[600];   /* as told */
};

/* In a process of its own, so that whatever happens to it is told with its seed. What it prints goes on to
 * standard output unless silent. */
struct verdict run_apart(uint64_t seed, const struct shape *shape, bool twice, bool silent);
/* As few steps and as few kinds of trouble as still give the same fault; told as a command. */
void run_shrink(uint64_t seed, struct shape *shape, const struct verdict *verdict);
void run_command(char ret_text[600], uint64_t seed, const struct shape *shape);

/* main.c */
extern const char *const kind_names[KIND_COUNT], *const mutation_names[MUTATION_COUNT];
void run_here(uint64_t seed, const struct shape *shape, unsigned char ret_hash[AV_HASH_SIZE]);

#endif

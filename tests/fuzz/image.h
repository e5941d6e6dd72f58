/* image.h - a folder with its files, kept in memory and put back. */
#ifndef AVVIK_TESTS_FUZZ_IMAGE_H
#define AVVIK_TESTS_FUZZ_IMAGE_H

struct image;

struct image *image_take(const char *path);
/* The folder holds these files and no others. */
void image_put(const struct image *image, const char *path);

#endif

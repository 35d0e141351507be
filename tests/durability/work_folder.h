/* Folders that a run makes and throws away, and running this very program again as a child. */
#ifndef LYC_TEST_WORK_FOLDER_H
#define LYC_TEST_WORK_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where the folders are made; before the first. Otherwise in memory, where the system has that:
 * neither a kill nor the model of a disk needs a disk. */
void work_folder_put_in(const char *path);
/* Absolute. */
void work_folder_make(char ret_path[64]);
/* Delete what is in it; itself, too, with_self. */
void work_folder_clear(const char *path, bool with_self);
/* The folder of this program's executable. */
void work_folder_of_program(char *ret_path, size_t size);

#endif

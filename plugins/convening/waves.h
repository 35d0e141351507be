/*
 * How many to invite: exact binomial numbers for people who each say yes, and come, with a chance
 * of their own that is the same for all. Pure.
 */
#ifndef CONVENING_WAVES_H
#define CONVENING_WAVES_H

#include <stdint.h>

/* The most who are looked at. */
#define WAVES_MAX 1000000

/* The chance that more than `limit` of `count` do what each does with chance `chance`. */
double waves_over(uint32_t count, double chance, uint32_t limit);
/* The chance that fewer than `least` do. */
double waves_under(uint32_t count, double chance, uint32_t least);
/* The largest count with waves_over(count, chance, limit) <= risk. */
uint32_t waves_most(double chance, uint32_t limit, double risk);
/* The smallest count with waves_under(count, chance, least) <= risk; WAVES_MAX when there is none
 * below. */
uint32_t waves_least(double chance, uint32_t least, double risk);

#endif

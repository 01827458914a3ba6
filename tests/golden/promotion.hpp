// Written by make_golden.py with NumPy 2.4.6: numbers of dimity::dtype.
#pragma once

namespace golden {

// np.promote_types of every pair: bool, int8 .. int64, uint8 .. uint64, float32, float64
inline constexpr int promote_types[11][11] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
    {1, 1, 2, 3, 4, 2, 3, 4, 10, 9, 10},
    {2, 2, 2, 3, 4, 2, 3, 4, 10, 9, 10},
    {3, 3, 3, 3, 4, 3, 3, 4, 10, 10, 10},
    {4, 4, 4, 4, 4, 4, 4, 4, 10, 10, 10},
    {5, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10},
    {6, 3, 3, 3, 4, 6, 6, 7, 8, 9, 10},
    {7, 4, 4, 4, 4, 7, 7, 7, 8, 10, 10},
    {8, 10, 10, 10, 10, 8, 8, 8, 8, 10, 10},
    {9, 9, 9, 10, 10, 9, 9, 10, 10, 9, 10},
    {10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10},
};
inline constexpr int divide_type[11] = {10, 10, 10, 10, 10, 10, 10, 10, 10, 9, 10};
inline constexpr int sum_type[11] = {4, 4, 4, 4, 4, 8, 8, 8, 8, 9, 10};
inline constexpr int mean_type[11] = {10, 10, 10, 10, 10, 10, 10, 10, 10, 9, 10};
inline constexpr int plus_python_int_type[11] = {4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

}  // namespace golden

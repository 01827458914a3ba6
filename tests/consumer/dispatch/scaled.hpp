#pragma once

#include <span>
#include <string>

inline float scaled(float value, float factor) { return value * factor; }

std::string in_static(std::span<float> values, float factor);
std::string in_shared(std::span<float> values, float factor);
std::string dispatch(std::span<float> values, float factor);

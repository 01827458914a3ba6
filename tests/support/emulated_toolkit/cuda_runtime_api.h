// In the place of the toolkit's header of this name: Thrust's algorithms run on this machine then (THRUST_DEVICE_SYSTEM_CPP), on the memory of the emulated GPU.
#pragma once

#define CUDART_VERSION 13000
#define __DRIVER_TYPES_H__
#define __CUDA_RUNTIME_API_H__
#include "../emulated_cuda.hpp"

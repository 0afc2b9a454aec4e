use std::{fmt, str::FromStr};

use ort::ep::{self, ExecutionProviderDispatch};

/// What is to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// NVIDIA's CUDA.
    Cuda,
    /// NVIDIA's TensorRT.
    TensorRt,
    /// AMD's ROCm.
    Rocm,
    /// AMD's MIGraphX.
    MiGraphX,
    /// Intel's OpenVINO.
    OpenVino,
    /// Apple's Core ML.
    CoreMl,
    /// DirectML on Windows.
    DirectMl,
    /// WebGPU.
    WebGpu,
}

impl Device {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 9] = [
        ("cpu", Self::Cpu),
        ("cuda", Self::Cuda),
        ("tensorrt", Self::TensorRt),
        ("rocm", Self::Rocm),
        ("migraphx", Self::MiGraphX),
        ("openvino", Self::OpenVino),
        ("coreml", Self::CoreMl),
        ("directml", Self::DirectMl),
        ("webgpu", Self::WebGpu),
    ];

    /// ONNX Runtime's provider for it.
    pub(crate) fn provider(self) -> ExecutionProviderDispatch {
        match self {
            Self::Cpu => ep::CPU::default().with_arena_allocator(true).build(),
            Self::Cuda => ep::CUDA::default().build(),
            Self::TensorRt => ep::TensorRT::default().build(),
            Self::Rocm => ep::ROCm::default().build(),
            Self::MiGraphX => ep::MIGraphX::default().build(),
            Self::OpenVino => ep::OpenVINO::default().build(),
            Self::CoreMl => ep::CoreML::default().build(),
            Self::DirectMl => ep::DirectML::default().build(),
            Self::WebGpu => ep::WebGPU::default().build(),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::ALL.iter().find(|(_, device)| device == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|&(_, device)| device).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|&(name, _)| name).collect();
            format!("there is no device {text:?}; there are {}", names.join(", "))
        })
    }
}

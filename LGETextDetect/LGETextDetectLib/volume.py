"""Frozen image volume in DICOM patient space (LPS, mm); no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
THIN_MM = 4.0  # slices nearer to each other are those of a 3D scan; usual ones lie 8-10 mm apart


@dataclass(frozen=True, eq=False)
class Volume:
    """A stack of parallel slices.

    array: float32, (slice, row, column), finite. affine: (4, 4) float64, maps (slice, row, column, 1)
    to LPS mm at voxel centres. image_type: 'psir', 'magnitude' or 'unknown'. Slices keep the input's order.
    """

    array: npt.NDArray[np.float32]
    affine: FloatArray
    image_type: str = "unknown"

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or self.affine.shape != (4, 4):
            raise ValueError(f"expected a 3D array and a 4x4 affine, got {self.array.shape}, {self.affine.shape}")
        if abs(float(np.linalg.det(self.affine[:3, :3]))) < 1e-9:
            raise ValueError("affine is singular")

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Row, column and slice spacing in mm (distance between neighbouring rows, columns, slices)."""
        slice_mm, row_mm, column_mm = (float(np.linalg.norm(self.affine[:3, i])) for i in range(3))
        return row_mm, column_mm, slice_mm

    def to_lps(self, index: npt.ArrayLike) -> FloatArray:
        """(..., 3) slice-row-column indices to (..., 3) LPS mm."""
        return np.asarray(index, float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, lps: npt.ArrayLike) -> FloatArray:
        """(..., 3) LPS mm to (..., 3) continuous slice-row-column indices."""
        return (np.asarray(lps, float) - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T

    def with_array(self, array: npt.NDArray[np.float32]) -> Volume:
        """The same geometry around another array of the same shape."""
        if array.shape != self.array.shape:
            raise ValueError(f"expected shape {self.array.shape}, got {array.shape}")
        return replace(self, array=array)

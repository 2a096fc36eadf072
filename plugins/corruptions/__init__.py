"""The corruptions vidharness ships: a light catalogue, nothing heavy is imported here.

A noise's category is the last part of its module's name; those of the category ``extended`` are not
among the 35 and enter no average over them. Definitions and constants are those of the
public NRVL noise code; where the two differ, the noise's docstring says so.
"""

from harness import Spec, hookimpl

_HERE = "harness_plugins.corruptions"


@hookimpl
def harness_corruptions() -> list[Spec]:
    return [
        Spec("gaussian", f"{_HERE}.quality:Gaussian", "normal noise on every pixel and channel, sigma 100"),
        Spec("impulse", f"{_HERE}.quality:Impulse", "black and white pixels, 70% of them"),
        Spec("speckle", f"{_HERE}.quality:Speckle", "brightness times 1 + .7 N(0, 1), grains of 2 pixels"),
        Spec("poisson", f"{_HERE}.quality:Poisson", "photon noise, 100 grey levels a photon"),
        Spec("gaussian_blur", f"{_HERE}.blur:GaussianBlur", "Gaussian blur, sigma 20 at a short side of 720"),
        Spec("motion_blur", f"{_HERE}.blur:MotionBlur", "45 degree line, 72 pixels at a short side of 720"),
        Spec("defocus_blur", f"{_HERE}.blur:DefocusBlur", "disk, radius 10 at a short side of 720"),
        Spec("glass_blur", f"{_HERE}.blur:GlassBlur", "frosted glass, 4 pixels at a short side of 720"),
        Spec("zoom_blur", f"{_HERE}.blur:ZoomBlur", "mean of centre zooms of 1.00 to 1.30"),
        Spec("jpeg_artifact", f"{_HERE}.compression:JpegArtifact", "JPEG at quality 1, 4:2:0"),
        Spec("random_block", f"{_HERE}.occlusion:RandomBlock", "a black rectangle at a random place"),
        Spec("target_block", f"{_HERE}.occlusion:TargetBlock", "the main object behind a black rectangle"),
        Spec("frame_drop", f"{_HERE}.temporal:FrameDrop", "frames turn black"),
        Spec("frame_replace", f"{_HERE}.temporal:FrameReplace", "frames change places"),
        Spec("frame_repeat", f"{_HERE}.temporal:FrameRepeat", "frames give way to their nearest neighbours"),
        Spec("temporal_jitter", f"{_HERE}.temporal:TemporalJitter", "frames change places or turn black"),
        Spec("other_video", f"{_HERE}.temporal:OtherVideo", "frames of another video of the data set"),
        Spec("bright_transform", f"{_HERE}.lighting:BrightTransform", "HSV value raised by half its range"),
        Spec("contrast", f"{_HERE}.lighting:Contrast", "each frame flatter or harsher about its mean colour"),
        Spec("color_shift", f"{_HERE}.lighting:ColorShift", "each channel times its own gain"),
        Spec("flicker", f"{_HERE}.lighting:Flicker", "each frame brighter or darker by its own gain"),
        Spec("overexposure", f"{_HERE}.lighting:Overexposure", "grey levels to a power of 1.1 to 1.4"),
        Spec("underexposure", f"{_HERE}.lighting:Underexposure", "grey levels to a power of .6 to .9"),
        Spec("rainy", f"{_HERE}.scene:Rainy", "slanted streaks of rain in front of a slight haze"),
        Spec("foggy", f"{_HERE}.scene:Foggy", "drifting fog in patches"),
        Spec("snow", f"{_HERE}.scene:Snow", "driving snow over a whitened picture"),
        Spec("frost", f"{_HERE}.scene:Frost", "a frosted window before the camera"),
        Spec("reflect", f"{_HERE}.scene:Reflect", "glare in bright places, a cloudy film over everything"),
        Spec("shadow", f"{_HERE}.scene:Shadow", "one large soft shadow that drifts"),
        Spec("random_pixel", f"{_HERE}.digital:RandomPixel", "random colours on 80% of the pixels"),
        Spec("resolution_degrade", f"{_HERE}.digital:ResolutionDegrade", "to .1 of each side and back"),
        Spec("stretch_squish", f"{_HERE}.digital:StretchSquish", "one axis to 1/30 and back"),
        Spec("edge_sawtooth", f"{_HERE}.digital:EdgeSawtooth", "random colours on and around edges"),
        Spec("color_quantized", f"{_HERE}.digital:ColorQuantized", "each channel at 8 levels"),
        Spec("elastic", f"{_HERE}.digital:Elastic", "the picture pulled about like rubber"),
        # Not among the 35, and in no average over them.
        Spec("rolling_shutter", f"{_HERE}.extended:RollingShutter", "lines lag up to 10 frames behind"),
        Spec("bit_error", f"{_HERE}.extended:BitError", "stripes of itself fill a block of the picture"),
        Spec("h265_artifacts", f"{_HERE}.extended:H265Artifacts", "HEVC at a constant rate factor of 51"),
    ]

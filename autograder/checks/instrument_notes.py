"""The data files that several assignments share: musical notes with their instruments."""

DATA_FILES = (
    "uiowa_std_scale_train_data.npy",
    "uiowa_permuted_train_labels.npy",
    "uiowa_std_scale_test_data.npy",
    "uiowa_test_labels.npy",
)
"""Features and labels of the training data, then of the test data."""

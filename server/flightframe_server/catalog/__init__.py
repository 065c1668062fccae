"""The catalog: the Analytic Collection and the installation as frozen values."""
